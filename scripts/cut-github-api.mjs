#!/usr/bin/env node
// Cuts GitHub's OpenAPI description to what the tests' stand-in answers, as JSON Schema that ajv takes:
//   npm install --prefix FOLDER @octokit/openapi && node scripts/cut-github-api.mjs FOLDER
// That package has 394 MB, so it is no dependency; it is only needed when this cut changes.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const operations = {
  "/user": ["get"],
  "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
  "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch"],
};

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: cut-github-api.mjs FOLDER");
const packageFolder = path.join(folder, "node_modules", "@octokit", "openapi");
const { version } = JSON.parse(readFileSync(path.join(packageFolder, "package.json"), "utf8"));
const whole = JSON.parse(readFileSync(path.join(packageFolder, "generated", "api.github.com.json"), "utf8"));

const components = {};
const cut = {
  origin: `Cut by scripts/cut-github-api.mjs from @octokit/openapi ${version}, which holds GitHub's description of its REST API (github/rest-api-description, version ${whole.info.version}).`,
  license: "MIT, copyright GitHub; see LICENSE.md of github/rest-api-description.",
  operations: Object.entries(operations).flatMap(([route, methods]) =>
    methods.map((method) => operation(route, method, whole.paths[route][method])),
  ),
  components,
};
const target = path.join(
  path.dirname(fileURLToPath(import.meta.url)),
  "..",
  "test",
  "action",
  "github-api.json",
);
writeFileSync(target, `${JSON.stringify(cut, null, 1)}\n`);

function operation(route, method, { operationId, parameters = [], requestBody, responses }) {
  return {
    id: operationId,
    method: method.toUpperCase(),
    route,
    parameters: parameters.map(resolve).map(({ name, in: where, required = false, schema }) => ({
      name,
      in: where,
      required,
      schema: clean(schema),
    })),
    body: clean(requestBody?.content?.["application/json"]?.schema) ?? null,
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [
        status,
        clean(resolve(response).content?.["application/json"]?.schema) ?? null,
      ]),
    ),
  };
}

function resolve(value) {
  return value.$ref === undefined ? value : at(value.$ref);
}

function at(reference) {
  return reference
    .slice(2)
    .split("/")
    .reduce((value, key) => value[key.replaceAll("~1", "/").replaceAll("~0", "~")], whole);
}

/** Without prose; references point into `components`; OpenAPI 3.0's `nullable` becomes a union with null. */
function clean(schema) {
  if (Array.isArray(schema)) return schema.map(clean);
  if (schema === null || typeof schema !== "object") return schema;
  if (typeof schema.$ref === "string") {
    const name = schema.$ref.split("/").at(-1);
    if (!(name in components)) {
      components[name] = null;
      components[name] = clean(at(schema.$ref));
    }
    const reference = { $ref: `#/components/${name}` };
    return schema.nullable ? { anyOf: [reference, { type: "null" }] } : reference;
  }
  const prose = [
    "description",
    "example",
    "examples",
    "externalDocs",
    "deprecated",
    "title",
    "nullable",
    "x-github",
  ];
  const kept = Object.entries(schema).filter(([key]) => !prose.includes(key));
  const result = Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      key === "properties"
        ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, clean(part)]))
        : clean(value),
    ]),
  );
  return schema.nullable ? { anyOf: [result, { type: "null" }] } : result;
}
