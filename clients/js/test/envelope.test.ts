// Bodies as docs/MESSAGING.md has them: all its examples, byte for byte.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encodeEnvelope, envelopeCodes, kinds, parseEnvelope, questions, UnknownKindError } from "../src/talk/index.js";
import { namesOf } from "../src/talk/envelope.js";
import { hex, repository, unhex } from "./bytes.js";

const page = readFileSync(join(repository, "docs/MESSAGING.md"), "utf8");

function examples(of: string): { bytes: Uint8Array; says: string }[] {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${of}\n([^]*?)^\`\`\`$`, "gm"))].map((m) => m[1]!);
  assert.ok(blocks.length > 3, `${blocks.length} examples of ${of}`);
  return blocks.map((b) => ({ bytes: unhex(b.replace(/#.*$/gm, "").replace(/\s/g, "")), says: b.replace(/^[^#]*/gm, "").replace(/\n/g, " ") }));
}

test("what is on the page is read, and written so", () => {
  const seen = new Set<number>();
  for (const { bytes, says } of examples("hex")) {
    const e = parseEnvelope(bytes);
    seen.add(e.kind);
    assert.equal(hex(encodeEnvelope(e)), hex(bytes), says);
    for (const [, field, value] of says.matchAll(/(user|room|sender|device|reason|after) = ([^,# ]+)/g)) {
      assert.equal(field === "sender" ? e.id!.sender : e[field as "user"], value, says);
    }
    const taken = /taken = (\S+)/.exec(says);
    if (taken) assert.equal(new Date(e.taken!).toISOString(), taken[1]);
    if (e.kind === kinds.page) assert.deepEqual(namesOf(e.content!), ["alice", "bob"]);
  }
  assert.deepEqual([...seen].sort((a, b) => a - b), Object.values(kinds));
});

test("what is odd on the page is read", () => {
  for (const { bytes, says } of examples("odd")) {
    const e = parseEnvelope(bytes), kind = /kind = ([a-z]+ ?[a-z]*)/.exec(says)![1]!.trim();
    assert.equal(e.kind, kinds[kind.replace(/ (.)/, (_, c: string) => c.toUpperCase()) as keyof typeof kinds], says);
  }
});

test("what the page refuses is refused", () => {
  for (const { bytes, says } of examples("refused")) {
    assert.throws(() => parseEnvelope(bytes), (error: Error) => {
      if (says.includes("unknown kind")) assert.ok(error instanceof UnknownKindError);
      const why = says.replace("# ", "").replace(/the (control character) U\+000A/, "a $1").trim(); // tlv.ts does not name it
      assert.ok(error.message.includes(why), `${error.message}, want ${why}`);
      return true;
    }, says);
  }
});

test("what no node would take is not written", () => {
  for (const e of [
    { kind: 99 }, { kind: kinds.toUser }, { kind: kinds.toUser, user: "" }, { kind: kinds.toUser, user: "a\n" },
    { kind: kinds.toUser, user: "a".repeat(129) }, { kind: kinds.toUser, user: "a", at: 0 }, { kind: kinds.toUser, user: "a", at: NaN },
    { kind: kinds.watch }, { kind: kinds.watch, user: "a", room: "b" }, { kind: kinds.join, room: "a", position: { epoch: 0n, offset: 1n } },
    { kind: kinds.join, room: "a", position: { epoch: 1n, offset: -1n } }, { kind: kinds.ask, question: questions.members },
  ]) assert.throws(() => encodeEnvelope(e), Error, JSON.stringify(e, (_, v) => typeof v === "bigint" ? String(v) : v));
});

test("the codes are those of the page", () => {
  const rows = [...page.matchAll(/^\| (\d+) \| ([a-z_]+) \| [A-Z]/gm)].map((m) => [m[2], Number(m[1])]);
  assert.deepEqual(Object.entries(envelopeCodes), rows);
});
