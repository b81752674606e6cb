import { harmless } from "./terminal";

export interface Progress {
  readonly say: (text: string) => void;
  end(): void;
}

/** One line that is written over, on a terminal only: logs stay clean. */
export function progressTo(stream: NodeJS.WriteStream): Progress {
  let shown = false;
  return {
    say(text) {
      if (!stream.isTTY) return;
      shown = true;
      const width = Math.max(20, (stream.columns ?? 80) - 1);
      stream.write(`\r\u001b[2K${harmless(text).slice(0, width)}`);
    },
    end() {
      if (shown) stream.write("\r\u001b[2K");
      shown = false;
    },
  };
}
