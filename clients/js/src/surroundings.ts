// What a page can notice of its network and its own sleep.

const leastHidden = 5000; // ms: who looks away for less has a session that is as good as before
const leastSleep = 2000; // ms: clocks are adjusted by less

/** Calls changed when the path to the server may be another one, until the returned function is called. */
export function watchSurroundings(changed: () => void): () => void {
  const page = globalThis as Partial<typeof globalThis>;
  if (typeof page.addEventListener !== "function") return () => {};
  const ends: (() => void)[] = [];
  const on = (target: EventTarget | undefined, event: string, f: (e: Event) => void): void => {
    if (!target) return;
    target.addEventListener(event, f);
    ends.push(() => target.removeEventListener(event, f));
  };
  on(globalThis as unknown as EventTarget, "online", changed);
  on(globalThis as unknown as EventTarget, "pageshow", (e) => {
    if ((e as PageTransitionEvent).persisted) changed();
  });
  const doc = page.document;
  let hidden = 0;
  on(doc, "visibilitychange", () => {
    if (doc!.visibilityState === "hidden") hidden = Date.now();
    else if (Date.now() - hidden >= leastHidden) changed();
  });
  on(doc, "resume", changed); // the browser had frozen the page
  // It changes with every new estimate of speed, which is no other network; with the network some
  // browsers tell another type. Without that a loss would have all of a node's pages cut their waits.
  const connection = (page.navigator as { connection?: EventTarget & { type?: string } } | undefined)?.connection;
  let type = connection?.type;
  on(connection, "change", () => {
    if (connection!.type === type) return;
    type = connection!.type;
    changed();
  });
  return () => ends.forEach((end) => end());
}

/** Whether this machine says that it has no network. */
export function offline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;
}

/**
 * Notices that the machine has slept: the wall clock has gone further than the other one. A wall
 * clock that is set forward looks the same, and costs one probe.
 */
export class SleepWatch {
  private ahead = SleepWatch.now();

  slept(): boolean {
    const before = this.ahead;
    this.ahead = SleepWatch.now();
    return this.ahead - before > leastSleep;
  }

  private static now(): number {
    return Date.now() - performance.now();
  }
}
