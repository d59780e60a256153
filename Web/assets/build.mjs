// Bundles each library once into ../wwwroot/lib, with its licence beside it. Run `npm ci && npm run build` after changing a version; commit the result.
import { build } from 'esbuild';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const lib = join(here, '..', 'wwwroot', 'lib');

/** One file a library: its name in wwwroot/lib, the npm package, what is exported, and its style sheet. */
const libraries = [{ name: 'uplot', package: 'uplot', entry: "export { default } from 'uplot';", styles: 'dist/uPlot.min.css' }];

for (const library of libraries) {
  const folder = join(here, 'node_modules', library.package);
  const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  await build({
    stdin: { contents: library.entry, resolveDir: here },
    outfile: join(lib, `${library.name}.js`),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    banner: { js: `// @ts-nocheck\n/* ${library.package} ${version}, ${license}; licence in ${library.name}.LICENSE.txt */` },
  });
  const licence = await readFile(join(folder, 'LICENSE'), 'utf8');
  await writeFile(join(lib, `${library.name}.LICENSE.txt`), licence);
  if (library.styles) await copyFile(join(folder, library.styles), join(lib, `${library.name}.css`));
}
