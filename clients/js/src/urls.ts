// Endpoints as an application writes them, and as the link knows them.

export interface Way {
  addresses: string[]; // "host:port"
  url(address: string): string;
}

/**
 * Reads endpoints: URLs that are ws:// or wss://, or relative to the page. All have one scheme and
 * one path: to what nodes name the client comes as to these. Throws an Error for others.
 */
export function parseEndpoints(endpoints: readonly string[]): Way {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  if (!Array.isArray(endpoints)) throw new Error('endpoints: it is a list, as in ["wss://edge.example/"]');
  let scheme = "", path = "";
  const addresses: string[] = [];
  for (const endpoint of endpoints) {
    let url: URL;
    try {
      url = new URL(endpoint, base);
    } catch {
      throw new Error(`endpoints: ${JSON.stringify(endpoint)} is no URL here`);
    }
    const to = url.protocol.replace(/^http/, "ws");
    if (to !== "ws:" && to !== "wss:") throw new Error(`endpoints: ${endpoint} is neither ws:// nor wss://, nor http:// or https:// for them`);
    // A browser would not send them, so they must not be lost without a word, nor be told in one.
    if (url.username || url.password) throw new Error(`endpoints: ${url.host} has a name or password: give a token`);
    const at = url.pathname + url.search;
    if (scheme !== "" && (scheme !== to || path !== at)) {
      throw new Error(`endpoints: ${endpoint} has another scheme or path than the others`);
    }
    scheme = to, path = at;
    const address = `${url.hostname}:${url.port || (to === "wss:" ? 443 : 80)}`;
    if (!addresses.includes(address)) addresses.push(address);
  }
  return { addresses, url: (address) => `${scheme}//${address}${path}` };
}
