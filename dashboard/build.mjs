// Bundles the modules of others for the checkout (vendor) and the whole dashboard for the wheel (bundle OUTDIR).
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const HERE = path.dirname(fileURLToPath(import.meta.url));

// What ./vendor/<name> gives: the only names of others that the pages may use.
const VENDORED = {
  "chart.js": `
    export { Chart, Filler, LineController, LineElement, LinearScale, PointElement } from "chart.js";`,
  "lit-html.js": `
    export { html, svg, nothing, render } from "lit-html";
    export { classMap } from "lit-html/directives/class-map.js";
    export { live } from "lit-html/directives/live.js";
    export { ref } from "lit-html/directives/ref.js";
    export { repeat } from "lit-html/directives/repeat.js";`,
};

const LICENCES = {
  "@kurkle/color": "LICENSE.md",
  "chart.js": "LICENSE.md",
  "lit-html": "LICENSE",
};

const COMMON = {
  absWorkingDir: HERE,
  bundle: true,
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  minify: true,
  target: ["es2022"],
};

const fromPackages = {
  name: "vendor-from-packages",
  setup(build) {
    build.onResolve({ filter: /\/vendor\/[^/]+\.js$/ }, ({ path: asked }) => ({
      path: path.basename(asked),
      namespace: "vendor",
    }));
    build.onLoad({ filter: /.*/, namespace: "vendor" }, ({ path: name }) => ({
      contents: VENDORED[name],
      resolveDir: HERE,
    }));
  },
};

async function vendor() {
  const folder = path.join(HERE, "vendor");
  await mkdir(folder, { recursive: true });
  for (const [name, contents] of Object.entries(VENDORED)) {
    const outfile = path.join(folder, name);
    await esbuild.build({ ...COMMON, stdin: { contents, resolveDir: HERE }, outfile });
    await writeFile(outfile.replace(/\.js$/, ".d.ts"), contents.replace(/^\s+/gm, ""));
  }
}

async function bundle(outdir) {
  await rm(outdir, { recursive: true, force: true });
  const built = await esbuild.build({
    ...COMMON,
    chunkNames: "[name]-[hash]",
    entryNames: "[name]-[hash]",
    entryPoints: ["app.js", "css/index.css"],
    metafile: true,
    outdir,
    plugins: [fromPackages],
    splitting: true,
  });
  const names = builtNames(built.metafile, outdir);
  const page = await readFile(path.join(HERE, "index.html"), "utf8");
  await writeFile(path.join(outdir, "index.html"), replaceNames(page, names));
  await copyFile(path.join(HERE, "theme.js"), path.join(outdir, "theme.js"));
  await copyLicences(path.join(outdir, "licences"));
}

function builtNames(metafile, outdir) {
  const names = {};
  for (const [file, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint) names[entryPoint] = path.relative(outdir, path.join(HERE, file));
  }
  return names;
}

function replaceNames(page, names) {
  for (const source of ["app.js", "css/index.css"]) {
    const reference = new RegExp(`(["'/])${source}(["'])`);
    if (!reference.test(page)) throw new Error(`index.html does not refer to ${source}`);
    page = page.replace(reference, `$1${names[source]}$2`);
  }
  return page;
}

async function copyLicences(folder) {
  await mkdir(folder, { recursive: true });
  for (const [name, file] of Object.entries(LICENCES)) {
    const target = `${name.replace(/\W+/g, "-").replace(/^-/, "")}.txt`;
    await copyFile(path.join(HERE, "node_modules", name, file), path.join(folder, target));
  }
}

const [task, outdir] = process.argv.slice(2);
if (task === "vendor") await vendor();
else if (task === "bundle" && outdir) await bundle(path.resolve(outdir));
else throw new Error("Say `node build.mjs vendor` or `node build.mjs bundle OUTDIR`.");
