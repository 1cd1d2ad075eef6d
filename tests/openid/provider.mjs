// A certified OpenID provider on a free port of loopback; its own pages take any name and password.
// It prints its port, then reads one line of JSON: what its client is.
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "../../dashboard/node_modules/oidc-provider/lib/index.js";

const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address();
console.log(port);
const asked = createInterface({ input: process.stdin });
asked.on("close", () => process.exit()); // whoever started it is gone
const [line] = await once(asked, "line");

const claimsOf = (id) => ({
  sub: id, preferred_username: id.split("@")[0], name: `${id} of the test`, email: id, email_verified: !id.startsWith("unsure"),
  groups: id.startsWith("ops") ? ["ops", "all"] : ["all"],
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [JSON.parse(line)],
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => claimsOf(id) }),
  pkce: { required: () => true },
});
server.on("request", provider.callback());
console.log("ready");
