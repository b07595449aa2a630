// The client in one file, as esbuild makes it.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../src/index.ts", import.meta.url));

/** Returns the bytes of the bundle. */
export async function bundle(options = {}) {
  const { outputFiles } = await build({
    entryPoints: [entry], bundle: true, format: "esm", target: "es2022", write: false, legalComments: "none",
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)), ...options,
  });
  return outputFiles[0].contents;
}
