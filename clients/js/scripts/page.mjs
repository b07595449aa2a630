// Writes the client in one file for examples/page. --check tells whether it is what is there.
import { readFileSync, writeFileSync } from "node:fs";
import { bundle } from "./bundle.mjs";

const file = new URL("../../../examples/page/stormwheel.js", import.meta.url);
const b = Buffer.concat([Buffer.from("// Made from clients/js: npm run page.\n"), await bundle()]);
if (!process.argv.includes("--check")) {
  writeFileSync(file, b);
} else if (!readFileSync(file).equals(b)) {
  console.error("examples/page/stormwheel.js is not what clients/js makes: npm run page");
  process.exit(1);
}
