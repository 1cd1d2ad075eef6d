// Bundles the modules of others for the checkout (vendor) and the whole dashboard for the wheel (bundle OUTDIR).
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

// What only these need is loaded when one of them is opened: name of the file, its entry.
const LATER = { charts: "pages/server.js", access: "pages/access.js" };

const HERE = path.dirname(fileURLToPath(import.meta.url));

// What ./vendor/<name> gives: the only names of others that the pages may use.
const VENDORED = {
  "chart.js": `
    export { Chart, Filler, LineController, LineElement, LinearScale, PointElement } from "chart.js";`,
  "lit-html.js": `
    export { html, svg, nothing, render } from "lit-html";
    export { classMap } from "lit-html/directives/class-map.js";
    export { keyed } from "lit-html/directives/keyed.js";
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

// esbuild alone would put what the entry and the charts share into a third file, one more round trip
// before the first paint. So its pieces are joined again: the entry holds and exports what is shared,
// and what comes later imports it from the entry. app.js therefore must not await a page at its top level.
async function bundle(outdir) {
  const pieces = await split();
  const css = await built({ entryPoints: ["css/index.css"] });
  const theme = await readFile(path.join(HERE, "theme.js"), "utf8");
  const id = shortHash([css, theme, ...pieces.texts].join(""));
  const app = `app-${id}.js`;
  const later = Object.fromEntries(pieces.later.map(([name, piece]) => [piece, `${name}-${id}.js`]));
  const names = { "app.js": app, "css/index.css": `index-${id}.css`, "theme.js": `theme-${id}.js` };
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const write = (name, text) => writeFile(path.join(outdir, name), text);
  await write(names["css/index.css"], css);
  await write(names["theme.js"], theme);
  await write(app, await joined(entrySource(pieces), pieces, later));
  for (const [piece, name] of Object.entries(later)) await write(name, await laterModule(pieces, piece, app, later));
  await write("index.html", await page(names));
  await copyLicences(path.join(outdir, "licences"));
}

function shortHash(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 10);
}

async function split() {
  const { metafile, outputFiles } = await esbuild.build({
    ...COMMON,
    entryPoints: ["app.js"],
    metafile: true,
    minifyIdentifiers: false,
    outdir: "split",
    plugins: [fromPackages],
    splitting: true,
    write: false,
  });
  const files = new Map(outputFiles.map(({ path: file, text }) => [path.basename(file), text]));
  const outputs = new Map(Object.entries(metafile.outputs).map(([file, out]) => [path.basename(file), out]));
  const pieceOf = (entry) => [...outputs].find(([, { entryPoint }]) => entryPoint === entry)[0];
  const later = Object.entries(LATER).map(([name, entry]) => [name, pieceOf(entry)]);
  const shared = [...new Set(later.flatMap(([, piece]) => staticImports(outputs, piece)))];
  return { later, files, outputs, shared, texts: [...files.values()] };
}

function staticImports(outputs, name, found = new Set()) {
  for (const { kind, path: file } of outputs.get(name).imports) {
    const imported = path.basename(file);
    if (kind !== "import-statement" || found.has(imported)) continue;
    found.add(imported);
    staticImports(outputs, imported, found);
  }
  return [...found];
}

function entrySource({ outputs, shared }) {
  const renamed = (chunk, i) => outputs.get(chunk).exports.map((name) => `${name} as s${i}_${name}`);
  return `import "./app.js";
    ${shared.map((chunk, i) => `export { ${renamed(chunk, i)} } from "./${chunk}";`).join("")}`;
}

function laterModule({ files, outputs, shared }, piece, app, later) {
  const back = (chunk, i) => outputs.get(chunk).exports.map((name) => `s${i}_${name} as ${name}`);
  const stubs = shared.map((chunk, i) => [chunk, `export { ${back(chunk, i)} } from "./${app}";`]);
  return joined(files.get(piece), { files: new Map(stubs) }, { ...later, [app]: app });
}

function joined(contents, { files }, external) {
  const fromPieces = {
    name: "from-pieces",
    setup(build) {
      build.onResolve({ filter: /^\.\// }, ({ path: asked }) => {
        const name = path.basename(asked);
        const outside = external[name];
        return outside ? { path: `./${outside}`, external: true } : { path: name, namespace: "piece" };
      });
      build.onLoad({ filter: /.*/, namespace: "piece" }, ({ path: name }) => ({ contents: files.get(name) }));
    },
  };
  return built({ stdin: { contents, resolveDir: HERE }, plugins: [fromPieces] });
}

async function built(options) {
  const { outputFiles } = await esbuild.build({ ...COMMON, ...options, outdir: "built", write: false });
  return outputFiles[0].text;
}

async function page(names) {
  let html = await readFile(path.join(HERE, "index.html"), "utf8");
  for (const [source, name] of Object.entries(names)) {
    if (!html.includes(`/static/${source}"`)) throw new Error(`index.html does not load ${source}`);
    html = html.replace(`/static/${source}"`, `/static/${name}"`);
  }
  return html;
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
