// A client of @xmpp/client that does what its standard input says, a line of JSON each, and tells what comes, a line each.
// node chat.mjs SERVICE DOMAIN NAME PASSWORD RESOURCE
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";
import { createInterface } from "node:readline";

globalThis.WebSocket ??= WebSocket; // node has one of its own since 22
const [service, domain, username, password, resource] = process.argv.slice(2);
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const mechanisms = [];
const xmpp = client({
  service,
  domain,
  resource,
  credentials: async (authenticate, offered) => {
    const chosen = offered.find((one) => one === "SCRAM-SHA-1") ?? offered[0];
    mechanisms.push(chosen);
    await authenticate({ username, password }, chosen);
  },
});
xmpp.timeout = 20_000; // two seconds are little on a machine that runs other tests
xmpp.on("error", (error) => tell({ error: String(error) }));
let bind2 = false;
xmpp.on("element", (element) => {
  bind2 ||= element.is("success", "urn:xmpp:sasl:2") && element.getChild("bound", "urn:xmpp:bind:0") !== undefined;
});
xmpp.on("online", async (address) => {
  await xmpp.send(xml("presence"));
  tell({ online: String(address), mechanism: mechanisms.at(-1), bind2 });
});
xmpp.on("stanza", (stanza) => {
  if (stanza.is("message") && stanza.getChild("body")) {
    tell({ from: stanza.attrs.from, text: stanza.getChildText("body") });
  }
});
createInterface({ input: process.stdin }).on("line", async (line) => {
  const { to, text } = JSON.parse(line);
  await xmpp.send(xml("message", { type: "chat", to }, xml("body", {}, text)));
}).on("close", () => xmpp.stop().catch(() => {}));
await xmpp.start().catch((error) => tell({ error: String(error) }));
