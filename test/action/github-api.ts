import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: object;
}

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly route: string;
  readonly parameters: readonly Parameter[];
  readonly body: object | null;
  readonly responses: Readonly<Record<string, object | null>>;
}

interface Description {
  readonly operations: readonly Operation[];
  readonly components: Readonly<Record<string, object>>;
}

const description = JSON.parse(
  readFileSync(join(import.meta.dirname, "github-api.json"), "utf8"),
) as Description;

export interface Comment {
  readonly id: number;
  readonly issue: number;
  readonly user: { readonly login: string; readonly type: "Bot" | "User" };
  body: string;
}

export interface ApiRequest {
  readonly operation: string;
  readonly status: number;
}

/** What the stand-in does wrong on purpose. */
export type Fault = "none" | "error 500" | "garbage" | "silence";

export interface GitHubApi extends AsyncDisposable {
  readonly url: string;
  comments: Comment[];
  readonly requests: ApiRequest[];
  /** Where a request, or an answer of ours, is not what GitHub's description says. */
  readonly violations: string[];
  fault: Fault;
}

/** A token of a person, and that person. */
export const personsToken = "ghp_person0123456789";
const person = { login: "maintainer", type: "User" } as const;

/** A token of this form may read and not write, as those of forks. */
export const readOnlyToken = "ghs_readonly0123456789";

const bot = { login: "github-actions[bot]", type: "Bot" } as const;

/**
 * The part of api.github.com that the action uses, with state. Every request and every answer is checked against
 * GitHub's own OpenAPI description; what it does not describe is refused.
 */
export async function startGitHubApi(): Promise<GitHubApi> {
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: true });
  addFormats(ajv);
  const root = { $id: "github", components: description.components };
  ajv.addSchema(root);
  const compiled = new Map<object, ValidateFunction>();
  const problems = (schema: object, value: unknown): string[] => {
    const validate = compiled.get(schema) ?? ajv.compile(relative(schema));
    compiled.set(schema, validate);
    return validate(value)
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api: GitHubApi = {
    url,
    comments: [],
    requests: [],
    violations: [],
    fault: "none",
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const address = new URL(request.url ?? "/", url);
    const found = findOperation(request.method ?? "", address.pathname);
    const name = found?.operation.id ?? `${request.method} ${address.pathname}`;
    const send = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) => {
      api.requests.push({ operation: name, status });
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers }).end(body);
    };
    if (api.fault === "silence") return;
    if (api.fault === "error 500") return send(500, JSON.stringify({ message: "Server Error" }));
    if (api.fault === "garbage") return send(200, "<html>::error::not JSON</html>");
    if (found === undefined) {
      api.violations.push(`no operation: ${name}`);
      return send(404, JSON.stringify({ message: "Not Found" }));
    }
    const { operation, parts } = found;
    const text = Buffer.concat(chunks).toString("utf8");
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const values: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      path: parts,
      query: Object.fromEntries(address.searchParams),
    };
    const wrong = operation.parameters.flatMap(({ name, in: where, required, schema }) => {
      const value = values[where]?.[name];
      if (value === undefined) return required ? [`${name} is missing`] : [];
      return problems({ type: "object", properties: { value: schema } }, { value });
    });
    if (operation.body !== null) wrong.push(...problems(operation.body, body));
    if (wrong.length > 0) {
      api.violations.push(...wrong.map((problem) => `request ${name}: ${problem}`));
      return send(422, JSON.stringify({ message: "Validation Failed", errors: wrong }));
    }
    const answer = respond(api, operation.id, parts, address, body, request.headers.authorization ?? "");
    const schema = operation.responses[String(answer.status)];
    if (schema !== undefined && schema !== null) {
      const faults = problems(schema, structuredClone(answer.body));
      api.violations.push(...faults.map((problem) => `answer ${name} ${answer.status}: ${problem}`));
    }
    send(answer.status, JSON.stringify(answer.body), answer.headers);
  }

  return api;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function respond(
  api: GitHubApi,
  operation: string,
  parts: Readonly<Record<string, string>>,
  address: URL,
  body: unknown,
  authorization: string,
): Answer {
  const documentation_url = "https://docs.github.com/rest";
  const token = authorization.replace(/^(?:token|bearer) /i, "");
  const refused = (status: number, message: string) => ({ status, body: { message, documentation_url } });
  if (token === "") return refused(401, "Requires authentication");
  if (operation === "users/get-authenticated") {
    if (token !== personsToken) return refused(403, "Resource not accessible by integration");
    return { status: 200, body: { ...userJson(person), ...account } };
  }
  if (operation === "issues/list-comments") return page(api, parts, address);
  if (token === readOnlyToken) return refused(403, "Resource not accessible by integration");
  const text = (body as { body: string }).body;
  if (text.length > 65_536) {
    const error = {
      resource: "IssueComment",
      code: "unprocessable",
      field: "data",
      message: "Body is too long",
    };
    return { status: 422, body: { message: "Validation Failed", documentation_url, errors: [error] } };
  }
  if (operation === "issues/create-comment") {
    const id = Math.max(1000, ...api.comments.map((comment) => comment.id)) + 1;
    const comment = {
      id,
      issue: Number(parts.issue_number),
      user: token === personsToken ? person : bot,
      body: text,
    };
    api.comments.push(comment);
    return { status: 201, body: commentJson(comment) };
  }
  const comment = api.comments.find(({ id }) => id === Number(parts.comment_id));
  if (comment === undefined) return refused(404, "Not Found");
  comment.body = text;
  return { status: 200, body: commentJson(comment) };
}

function page(api: GitHubApi, parts: Readonly<Record<string, string>>, address: URL): Answer {
  const all = api.comments.filter(({ issue }) => issue === Number(parts.issue_number));
  const size = Math.min(100, Number(address.searchParams.get("per_page") ?? 30));
  const number = Number(address.searchParams.get("page") ?? 1);
  const next = new URL(address);
  next.searchParams.set("page", String(number + 1));
  return {
    status: 200,
    body: all.slice((number - 1) * size, number * size).map(commentJson),
    headers: number * size < all.length ? { link: `<${next}>; rel="next"` } : {},
  };
}

function findOperation(
  method: string,
  path: string,
): { operation: Operation; parts: Readonly<Record<string, string>> } | undefined {
  for (const operation of description.operations) {
    if (operation.method !== method) continue;
    const pattern = operation.route.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
    const found = new RegExp(`^${pattern}$`).exec(path);
    if (found !== null) return { operation, parts: { ...found.groups } };
  }
  return undefined;
}

/** References are written from the root of the description. */
function relative(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"github#/')) as object;
}

function commentJson({ id, issue, user, body }: Comment): object {
  const time = "2026-01-02T03:04:05Z";
  return {
    id,
    node_id: `IC_${id}`,
    url: `https://api.github.com/repos/acme/boards/issues/comments/${id}`,
    html_url: `https://github.com/acme/boards/pull/${issue}#issuecomment-${id}`,
    issue_url: `https://api.github.com/repos/acme/boards/issues/${issue}`,
    body,
    user: userJson(user),
    created_at: time,
    updated_at: time,
    author_association: user.type === "Bot" ? "NONE" : "MEMBER",
  };
}

function userJson(user: Comment["user"]): object {
  const link = `https://api.github.com/users/${encodeURIComponent(user.login)}`;
  const links = [
    ...["avatar", "html", "followers", "following", "gists", "starred", "subscriptions", "organizations"],
    ...["repos", "events", "received_events"],
  ].map((name) => [`${name}_url`, link]);
  return {
    ...user,
    id: 41898282,
    node_id: "MDM6Qm90NDE4OTgyODI=",
    gravatar_id: "",
    url: link,
    ...Object.fromEntries(links),
    site_admin: false,
  };
}

/** What one's own account has beside. */
const account = {
  name: null,
  company: null,
  blog: null,
  location: null,
  email: null,
  hireable: null,
  bio: null,
  public_repos: 1,
  public_gists: 0,
  followers: 0,
  following: 0,
  created_at: "2020-01-02T03:04:05Z",
  updated_at: "2026-01-02T03:04:05Z",
};
