// A client that only knows WebSockets: it says what its arguments are, in hexadecimal, one message each,
// and prints what comes, and at the end the code that it was closed with.
// node client.js LIBRARY URL MESSAGE...; LIBRARY is "" for the one that Node has.
const [library, url, ...messages] = process.argv.slice(2);
const WS = library ? require(library) : WebSocket;
const ws = new WS(url, "stormwheel.1");
ws.binaryType = "arraybuffer";
ws.onopen = () => { for (const m of messages) ws.send(Buffer.from(m, "hex")); };
ws.onmessage = (e) => console.log("message " + Buffer.from(e.data).toString("hex"));
ws.onclose = (e) => console.log("closed " + e.code + " " + (ws.protocol || ""));
ws.onerror = (e) => console.log("error " + (e.message || ""));
setTimeout(() => process.exit(3), 20000).unref();
