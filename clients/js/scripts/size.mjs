// How large the client is for a page: minified, and as it travels. --check holds the README to it.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { bundle } from "./bundle.mjs";

const b = await bundle({ minify: true });
const kB = (n) => (n / 1000).toFixed(0);
const line = `${kB(b.length)} kB minified, ${kB(gzipSync(b, { level: 9 }).length)} kB with gzip`;
console.log(line);
if (process.argv.includes("--check")) {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8").replace(/\s+/g, " ");
  if (!readme.includes(line)) {
    console.error("README.md says something else: write this line there");
    process.exit(1);
  }
}
