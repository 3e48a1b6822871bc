// Starts the interface: theme and words first, then the router. Nothing is asked of any other host.

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { watchWire, wire } from "./api/client";
import { Refusal } from "./api/problem";
import "./tokens.css";
import "./base.css";
import { language, speak, startWords, useLanguage, type Language } from "./i18n";
import { Tips } from "./lib/tips";
import { applyTheme, getPrefs, watchPrefs } from "./model/prefs";
import { ahead, makeRouter } from "./router";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The appliance may stand on this very desk: whether it can be reached is found out by asking, not from the browser's guess.
      networkMode: "always",
      staleTime: 15_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => error instanceof Refusal && error.unreachable && count < 2,
    },
    mutations: { networkMode: "always", retry: false },
  },
});
const router = makeRouter(client);

function firstLanguage(): Language {
  return getPrefs().language ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
}

function App() {
  const spoken = useLanguage();
  wire.language = spoken === "zh" ? "zh-CN" : "en";
  return (
    <MantineProvider withCssVariables={false} withGlobalClasses={false} deduplicateCssVariables={false}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        <Tips />
      </QueryClientProvider>
    </MantineProvider>
  );
}

async function start(): Promise<void> {
  // The first page of the appliance is this one; its own address is below /app.
  if (!location.pathname.startsWith("/app")) history.replaceState(null, "", "/app/");
  applyTheme();
  wire.language = firstLanguage() === "zh" ? "zh-CN" : "en";
  ahead(router, client);
  await startWords(firstLanguage());
  wire.language = language() === "zh" ? "zh-CN" : "en";
  // Wherever a language was set, here or in another browser of the same person, the words follow.
  watchPrefs(() => {
    const wanted = getPrefs().language;
    if (wanted && wanted !== language()) void speak(wanted);
  });
  // When the server answers again, what could not be read is read.
  let answered = wire.reachable;
  watchWire(() => {
    if (wire.reachable && !answered) void client.refetchQueries({ type: "active", predicate: (query) => query.state.status === "error" });
    answered = wire.reachable;
  });
  const place = document.getElementById("root");
  if (!place) return;
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

void start();
