// What the demo takes for production: an embedded PostgreSQL by the gate's own code. scripts/demo.mjs bundles it.
export { connect, urlOf } from "../src/databases/postgres/connection";
export { startShadow } from "../src/shadow/start";
