/**
 * The client of a Stormwheel edge: one session, kept alive by heartbeats and won back by itself, on
 * another node if need be.
 *
 *     const client = new Client({ endpoints: ["wss://edge.example/"], id: "alice", deliver: (m) => console.log(m.text) });
 *     client.start();
 *     await client.send("hello"); // the node's application has it
 */
export { Client, type SendOptions } from "./client.js";
export type { Config } from "./config.js";
export type { Body } from "./body.js";
export type { Info } from "./info.js";
export type { State } from "./link/out.js";
export { Message, type Word } from "./message.js";
export * from "./errors.js";
export { codes, codeName, nackCodes } from "./codes.js";
