// SPDX-License-Identifier: Apache-2.0
// After a build: compresses the files and writes console.json, which tells ocp-server what there is.
//   {"routes": ["/task/:id", ...],
//    "files": [{"name": "x-hash.js", "stored": "assets/x-hash.js.gz", "type": "text/javascript", "gzip": true}, ...]}
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The paths of the table in src/routes.ts: each of its rows begins with one. */
export function routePaths(source: string): string[] {
  const paths = [...source.matchAll(/^ {2}\{ path: '(\/[^']*)'/gm)].map((m) => m[1] as string);
  const rows = source.match(/\bpath: '/g)?.length ?? 0;
  if (paths.length === 0 || paths.length !== rows)
    throw new Error(`src/routes.ts: ${rows} rows, but ${paths.length} paths`);
  return paths;
}

function store(folder: string, name: string) {
  const type = TYPES[extname(name)];
  if (type === undefined) throw new Error(`build/pack.ts: say of which type ${name} is`);
  const path = join(folder, 'assets', name);
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  rmSync(path);
  return { name, stored: `assets/${name}.gz`, type, gzip: true };
}

export function pack(): Plugin {
  let root = '',
    folder = '';
  return {
    name: 'pack',
    apply: 'build',
    configResolved(config) {
      root = config.root;
      folder = join(root, config.build.outDir);
      if (config.build.outDir.startsWith('/')) folder = config.build.outDir;
    },
    closeBundle() {
      const routes = routePaths(readFileSync(join(root, 'src/routes.ts'), 'utf8'));
      const files = readdirSync(join(folder, 'assets'))
        .sort()
        .map((name) => store(folder, name));
      writeFileSync(join(folder, 'console.json'), `${JSON.stringify({ routes, files }, null, 1)}\n`);
    },
  };
}
