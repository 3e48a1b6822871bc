// How the interface is built: hashed files below /app/assets, no inline script, nothing from outside. `npm run dev` serves
// it with the API of a running appliance behind it (KONTOR_URL, by default the address of `make run`).

import react from "@vitejs/plugin-react";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const appliance = process.env.KONTOR_URL ?? "https://127.0.0.1:8443";
const passed = { target: appliance, secure: false, changeOrigin: true };

/** Beside each file its compressed forms, as src/api/build.rs puts them into the binary. */
function packed(): Plugin {
  const dist = fileURLToPath(new URL("./dist/", import.meta.url));
  return {
    name: "packed",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(`${dist}site`, { recursive: true }) as string[]) {
        if (!/\.(html|js|css|svg|json|webmanifest)$/.test(name) || name.startsWith(".")) continue;
        const path = `${dist}site/${name}`;
        const bytes = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
      renameSync(`${dist}site/.vite/manifest.json`, `${dist}manifest.json`);
      rmSync(`${dist}site/.vite`, { recursive: true });
    },
  };
}

export default defineConfig({
  base: "/app/",
  plugins: [react(), packed()],
  resolve: { alias: { "~": fileURLToPath(new URL("./app", import.meta.url)) } },
  build: {
    outDir: "dist/site",
    emptyOutDir: true,
    chunkSizeWarningLimit: 600,
    target: ["chrome109", "edge109", "firefox115", "safari16"],
    // Small files stay files: the policy of the appliance allows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
    sourcemap: false,
  },
  server: {
    port: 5173,
    proxy: { "/api": passed, "/docs": passed, "/pages": passed, "/healthz": passed, "/readyz": passed },
  },
  test: { environment: "jsdom", include: ["tests/**/*.test.{ts,tsx}"], restoreMocks: true },
});
