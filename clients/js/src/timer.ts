// One timer that fires in time in a page that nobody looks at.
//
// Browsers hold the timers of a hidden page back, to one a second and after minutes to one a minute,
// which is too late for a heartbeat. They leave those of a worker alone. So the timer is set here
// and in a worker, and the first that fires counts: where a policy of the page forbids the worker,
// or there is none, as in Node, the plain timer is all.

const script = "let t;onmessage=e=>{clearTimeout(t);if(e.data>=0)t=setTimeout(()=>postMessage(0),e.data)}";
const longest = 2 ** 31 - 1; // of setTimeout

export class Timer {
  private plain: ReturnType<typeof setTimeout> | undefined;
  private worker: Worker | undefined;
  private url: string | undefined; // of the worker's script

  /** fire may come early, and after end. */
  constructor(private readonly fire: () => void) {}

  /** Fires in so many milliseconds, instead of when it was to fire. Infinity is never. */
  set(ms: number): void {
    clearTimeout(this.plain);
    if (this.url === undefined) this.begin();
    this.worker?.postMessage(ms === Infinity ? -1 : ms);
    this.plain = ms === Infinity ? undefined : setTimeout(this.fire, Math.min(ms, longest));
  }

  private begin(): void {
    this.url = "";
    if (typeof document === "undefined" || typeof Worker === "undefined") return;
    try {
      this.url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
      this.worker = new Worker(this.url, { name: "stormwheel-timer" });
      this.worker.onmessage = this.fire;
      this.worker.onerror = (e) => { // where the page's policy forbids it
        e.preventDefault();
        this.worker = undefined;
      };
    } catch {
      this.worker = undefined;
    }
  }

  /** Ends it for good. */
  end(): void {
    clearTimeout(this.plain);
    this.worker?.terminate();
    this.worker = undefined;
    if (this.url) URL.revokeObjectURL(this.url);
  }
}
