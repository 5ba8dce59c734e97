// Bundles the page, with the licences of what goes in, into ../page or the folder that is given.
// `make report-page` calls it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const page = process.argv[2] ?? join(here, "..", "page");
mkdirSync(page, { recursive: true });

await esbuild.build({
  entryPoints: { page: join(here, "src/main.tsx") },
  outdir: page,
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "info",
});
writeFileSync(join(page, "index.html"), readFileSync(join(here, "src/index.html")));

// The packages that the page is made of, with those that they bring: what a package has bundled
// itself does not show in a bundle of it, so all are named.
const { packages } = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
const folders = Object.keys(packages).filter((folder) => folder && !packages[folder].dev).sort();
const texts = folders.map((folder) => {
  const path = join(here, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name}: no licence file`);
  const text = readFileSync(join(path, file), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync(
  join(page, "LICENSES.txt"),
  `page.js contains parts of these packages, or of what they bring.\n\n${texts.join(`\n${"-".repeat(78)}\n\n`)}`,
);

// A hash of all that the page is built from, by which a test sees that it was built again.
const sources = readdirSync(join(here, "src"), { recursive: true })
  .map((name) => `src/${name.split("\\").join("/")}`)
  .filter((name) => /\.(tsx?|css|html)$/.test(name));
const hash = createHash("sha256");
for (const name of [...sources, "build.mjs", "package-lock.json"].sort()) {
  if (existsSync(join(here, name))) hash.update(`${name}\0`).update(readFileSync(join(here, name)));
}
writeFileSync(join(page, "SOURCES.sha256"), `${hash.digest("hex")}\n`);
