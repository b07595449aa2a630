// Users at real nodes that carry messages.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { codes, Refusal, RefusedError } from "../src/index.js";
import { encodeEnvelope, envelopeCodes, kinds, Talk, type Joined, type Position, type Presence, type Publication, type Receipt, type TalkConfig, type UserMessage, type Why } from "../src/talk/index.js";
import { Memory } from "../src/talk/memory.js";
import { node, until, withNodes, type Node } from "./nodes.js";
import { webSocket } from "./rig.js";

const carries = ["--messages", "memory", "--failover-rate", "1000"];

interface Person {
  talk: Talk;
  got: UserMessage[];
  said: Publication[];
  joins: Joined[];
  gaps: [Position, Position][];
  gone: [string, Why][];
  receipts: Receipt[];
  seen: Presence[];
}

async function person(t: TestContext, id: string, nodes: Node[], cfg: Partial<TalkConfig> = {}): Promise<Person> {
  const p: Omit<Person, "talk"> = { got: [], said: [], joins: [], gaps: [], gone: [], receipts: [], seen: [] };
  const talk = new Talk({
    client: { endpoints: nodes.map((n) => n.url), id, webSocket, pongTimeout: 1000, backoffMin: 50 },
    message: (m) => void p.got.push(m),
    publication: (s) => void p.said.push(s),
    joined: (j) => void p.joins.push(j),
    missed: (_, from, to) => void p.gaps.push([from, to]),
    left: (room, why) => void p.gone.push([room, why]),
    receipt: (r) => void p.receipts.push(r),
    presence: (s) => void p.seen.push(s),
    ...cfg,
  });
  t.after(() => talk.stop());
  talk.start();
  await talk.ready();
  return { talk, ...p };
}

withNodes("a message is delivered when its user has dealt with it", async (t) => {
  const n = await node(t, "a", ...carries);
  const alice = await person(t, "alice/phone", [n]), bob = await person(t, "bob", [n]);
  const told = await alice.talk.send("bob", "hi");
  assert.equal(told.state, "delivered");
  const [m] = bob.got;
  assert.equal(m!.from, "alice");
  assert.equal(m!.text, "hi");
  assert.equal(m!.possiblyKnown, false);
  assert.deepEqual(m!.id, told.id);
  assert.equal(told.id.sender, "alice/phone");
});

withNodes("a refusal has its sender's message refused", async (t) => {
  const n = await node(t, "a", ...carries);
  const alice = await person(t, "alice", [n]);
  await person(t, "bob", [n], { message: () => { throw new Refusal(1234, "no"); } });
  await assert.rejects(alice.talk.send("bob", "hi"), (e: RefusedError) => e instanceof RefusedError && e.code === 1234 && e.reason === "no");
  await assert.rejects(alice.talk.send("bob/phone", "hi"), (e: RefusedError) => e.code === envelopeCodes.malformed);
});

withNodes("who is away gets it later, and a receipt tells", async (t) => {
  const n = await node(t, "a", ...carries);
  const alice = await person(t, "alice", [n]);
  const told = await alice.talk.send("carol", "later");
  assert.equal(told.state, "held");
  const carol = await person(t, "carol", [n]);
  await until("the message", () => carol.got.length);
  assert.equal(carol.got[0]!.text, "later");
  assert.equal(carol.got[0]!.possiblyKnown, true); // it was taken before carol's memory begins
  await until("the receipt", () => alice.receipts.length);
  assert.deepEqual(alice.receipts[0]!.id, told.id);
  assert.equal(alice.receipts[0]!.state, "delivered");
  assert.equal(alice.receipts[0]!.to, "carol");
});

withNodes("a copy of a message is answered as the first was, and not shown", async (t) => {
  const n = await node(t, "a", ...carries);
  const alice = await person(t, "alice", [n]);
  let deal = (): void => {};
  const dealt = new Promise<void>((resolve) => deal = resolve), texts: string[] = [];
  const bob = await person(t, "bob", [n], { message: async (m) => { texts.push(m.text); await dealt; } });
  const sent = alice.talk.send("bob", "once");
  await until("the message", () => texts.length);
  // Another session of the device: the node delivers again what it had not acknowledged.
  await kick(n, bob);
  deal();
  assert.match((await sent).state, /delivered|held/);
  assert.equal((await alice.talk.send("bob", "twice")).state, "delivered");
  assert.deepEqual(texts, ["once", "twice"]);
});

async function kick(n: Node, p: Person): Promise<void> {
  const before = p.talk.client.info().sessions, session = `${n.name}/${p.talk.client.info().session}`;
  const answer = await fetch(`${n.admin}/v1/sessions/${encodeURIComponent(session)}/kick`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: "{}",
  });
  assert.ok(answer.ok, `kick: ${answer.status} ${await answer.text()}`);
  await until("another session", () => p.talk.client.info().sessions > before);
}

withNodes("a room is joined in every session, from where it was heard", async (t) => {
  const n = await node(t, "a", ...carries);
  const alice = await person(t, "alice", [n]), bob = await person(t, "bob", [n]);
  for (const p of [alice, bob]) p.talk.join("kitchen");
  await until("both are in", () => alice.joins.length + bob.joins.length === 2);
  assert.equal(bob.joins[0]!.state, "fresh");
  assert.equal((await alice.talk.publish("kitchen", "tea?")).state, "taken");
  await until("both have heard", () => alice.said.length + bob.said.length === 2);
  assert.equal(bob.said[0]!.from, "alice");
  assert.equal(bob.said[0]!.text, "tea?");
  assert.deepEqual(bob.talk.position("kitchen"), bob.said[0]!.position);
  await kick(n, bob);
  await until("bob is in again", () => bob.joins.length === 2);
  assert.equal(bob.joins[1]!.state, "recovered");
  for (let i = 0; i < 3; i++) await alice.talk.publish("kitchen", `line ${i}`);
  await until("all is heard", () => bob.said.length === 4);
  assert.deepEqual(bob.said.map((s) => s.text), ["tea?", "line 0", "line 1", "line 2"]);
  // Another device goes on where this one was.
  const tv = await person(t, "bob/tv", [n]);
  tv.talk.join("kitchen", bob.said[1]!.position);
  await until("the rest", () => tv.said.length === 2);
  assert.deepEqual(tv.said.map((s) => s.text), ["line 1", "line 2"]);
  bob.talk.leave("kitchen");
  await bob.talk.client.send(encodeEnvelope({ kind: kinds.leave, room: "kitchen" })); // what was asked before is done before
  assert.deepEqual((await alice.talk.devices("alice")).names, ["alice"]);
  assert.equal(bob.talk.position("kitchen"), undefined);
  assert.equal(bob.gaps.length, 0);
});

withNodes("a room that began anew is told as missed", async (t) => {
  const [a, b] = [await node(t, "a", ...carries), await node(t, "b", ...carries)];
  const alice = await person(t, "alice", [a, b]);
  alice.talk.join("kitchen");
  await until("she is in", () => alice.joins.length);
  await alice.talk.publish("kitchen", "one");
  await until("it is heard", () => alice.said.length);
  const [here] = alice.talk.client.info().node === "a" ? [a] : [b];
  here!.kill("SIGKILL");
  await until("she is in again", () => alice.joins.length === 2);
  assert.equal(alice.joins[1]!.state, "missed");
  assert.equal(alice.gaps.length, 1);
  await alice.talk.publish("kitchen", "two");
  await until("it goes on", () => alice.said.length === 2);
});

withNodes("a node tells who comes and goes, and refuses what one may not", async (t) => {
  const n = await node(t, "a", ...carries, "--open-presence", "--message-limits", "rooms=1,watches=5");
  const alice = await person(t, "alice", [n]);
  alice.talk.watch("bob");
  await alice.talk.online();
  assert.equal(alice.seen.length, 0);
  await person(t, "bob/tv", [n]);
  await until("bob is seen", () => alice.seen.length);
  assert.deepEqual([alice.seen[0]!.user, alice.seen[0]!.device, alice.seen[0]!.online], ["bob", "bob/tv", true]);
  assert.deepEqual(await alice.talk.online(), { names: ["alice", "bob"], after: "", count: 2 });
  assert.deepEqual(await alice.talk.online("", "", 1), { names: ["alice"], after: "alice", count: 2 });
  assert.deepEqual((await alice.talk.devices("bob")).names, ["bob/tv"]);
  alice.talk.join("one");
  alice.talk.join("two");
  await until("one is refused", () => alice.gone.length);
  assert.equal(alice.gone[0]![0], "two");
  assert.equal(alice.gone[0]![1].code, envelopeCodes.too_many);
  assert.equal(codes.replaced, 3504);
});

test("the memory of ids has bounds", () => {
  let now = 0;
  const m = new Memory<true>(() => now), id = (n: number) => ({ sender: "a", incarnation: 1n, number: BigInt(n) });
  for (let n = 0; n < 20_000; n++) m.add(id(n), true);
  assert.ok(m.find(id(19_999)) && m.find(id(20_000 - 16_384)));
  assert.equal(m.find(id(20_000 - 16_385)), undefined);
  now = 5 * 60_000;
  m.add(id(20_000), true);
  assert.ok(m.find(id(20_000 - 1023)));
  assert.equal(m.find(id(20_000 - 1024)), undefined);
});
