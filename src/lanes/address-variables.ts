import { type AddressParts, environmentLines, formatAddress } from "../executors/address";
import { recorderVariables } from "../executors/environment";

/** How the tool is told where to connect. */
export interface AddressSettings {
  readonly databaseUrlEnv: string;
  readonly databaseUrlFormat: string;
  readonly env: readonly string[];
}

/** Where each database is of which a start of the tool is told. */
export interface AddressesOfStart {
  readonly judged: AddressParts;
  /** Of the lines of `env`. */
  readonly lines: AddressParts;
  /** The variables of the other databases. */
  readonly others: Readonly<Record<string, string>>;
}

/** The variables that a start of the tool has beside the environment's. */
export function addressVariables(
  { databaseUrlEnv, databaseUrlFormat, env }: AddressSettings,
  { judged, lines, others }: AddressesOfStart,
): Record<string, string> {
  return {
    ...recorderVariables(judged),
    ...others,
    [databaseUrlEnv]: formatAddress(databaseUrlFormat, judged),
    ...environmentLines(env, formatAddress(databaseUrlFormat, lines), lines),
  };
}
