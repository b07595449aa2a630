// What a page tells of its network, and what of that counts.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { watchSurroundings } from "../src/surroundings.js";

class Connection extends EventTarget {
  type: string | undefined;
}

function page(t: TestContext): { window: EventTarget; connection: Connection } {
  const window = new EventTarget(), connection = new Connection();
  const put = (name: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name));
  };
  put("addEventListener", window.addEventListener.bind(window));
  put("removeEventListener", window.removeEventListener.bind(window));
  put("navigator", { connection });
  return { window, connection };
}

// A browser tells "change" for every new estimate of speed, too: pages whose node has died would all
// cut their waits.
test("a network of another kind is another one, and a new estimate is none", (t) => {
  const { connection } = page(t);
  let changes = 0;
  const end = watchSurroundings(() => changes++);
  const change = (type: string | undefined): number => {
    connection.type = type;
    connection.dispatchEvent(new Event("change"));
    return changes;
  };
  assert.equal(change(undefined), 0);
  assert.equal(change("wifi"), 1);
  assert.equal(change("wifi"), 1);
  assert.equal(change("cellular"), 2);
  end();
  assert.equal(change("wifi"), 2);
});

test("listeners go with the client", (t) => {
  const { window } = page(t);
  let changes = 0;
  const end = watchSurroundings(() => changes++);
  window.dispatchEvent(new Event("online"));
  assert.equal(changes, 1);
  end();
  window.dispatchEvent(new Event("online"));
  assert.equal(changes, 1);
});
