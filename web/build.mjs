// Bundles the query page into dist/ (or the folder given): index.html, one script, one stylesheet,
// and the licences of everything that went in. Nothing is loaded from elsewhere at run time.
import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "dist"));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/page.jsx" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  loader: { ".woff": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl", ".svg": "dataurl" },
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg"]) await cp(path.join(here, name), path.join(out, name));

// node_modules/@scope/name or node_modules/name, nested ones included.
const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) packages.add(found[1]);
}
const notices = [];
for (const folder of [...packages].sort()) {
  const about = JSON.parse(await readFile(path.join(here, folder, "package.json"), "utf8"));
  const files = await readdir(path.join(here, folder));
  const licence = files.find((name) => /^licen[cs]e/i.test(name));
  const text = licence ? await readFile(path.join(here, folder, licence), "utf8") : "";
  notices.push(`${about.name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
}
await writeFile(path.join(out, "licenses.txt"), notices.join(`\n${"-".repeat(72)}\n\n`));
