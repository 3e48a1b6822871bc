// Addresses of the interface. Everything lies under /app; records under /app/o/<object>, so that no object's name can
// collide with a page. Each screen is a file of its own that is loaded when it is first needed.

import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, parseSearchWith, redirect, stringifySearchWith, Outlet } from "@tanstack/react-router";
import type { QueryClient } from "@tanstack/react-query";
import { Refusal } from "./api/problem";
import { sessionQuery } from "./api/session";
import { language, speak } from "./i18n";
import { awaitsSetup, settingsQuery } from "./model/house";
import { objectsQuery } from "./model/meta";
import { getPrefs } from "./model/prefs";
import { LostPage, NotFound, PageError } from "./pages/Trouble";

type Context = { client: QueryClient };

const root = createRootRouteWithContext<Context>()({ component: Outlet, errorComponent: PageError, notFoundComponent: LostPage });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: { [name: string]: unknown }): { to?: string } => (typeof search["to"] === "string" ? { to: search["to"] } : {}),
  component: lazyRouteComponent(() => import("./pages/SignIn")),
});

const password = createRoute({
  getParentRoute: () => root,
  path: "/password",
  validateSearch: (search: { [name: string]: unknown }): { to?: string } => (typeof search["to"] === "string" ? { to: search["to"] } : {}),
  component: lazyRouteComponent(() => import("./pages/FirstPassword")),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  beforeLoad: async ({ context, location }) => {
    try {
      const session = await context.client.ensureQueryData(sessionQuery);
      if (session.password_change_required) throw redirect({ to: "/password", search: location.href === "/" ? {} : { to: location.href } });
      const wanted = getPrefs().language ?? session.user.locale;
      if (wanted !== language()) await speak(wanted);
      // The ribbon stands above everything: a page that is drawn without it first would jump. Without an answer there is none.
      await Promise.all([context.client.ensureQueryData(objectsQuery), context.client.ensureQueryData(settingsQuery).catch(() => undefined)]);
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { to: location.href } });
      throw error;
    }
  },
  component: lazyRouteComponent(() => import("./shell/Shell")),
  errorComponent: PageError,
  notFoundComponent: NotFound,
});

const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  beforeLoad: async ({ context, preload }) => {
    const session = context.client.getQueryData(sessionQuery.queryKey);
    if (!preload && session && (await awaitsSetup(context.client, session.user))) throw redirect({ to: "/setup" });
  },
  component: lazyRouteComponent(() => import("./pages/Home")),
});

const setup = createRoute({ getParentRoute: () => shell, path: "/setup", validateSearch: (search: { [name: string]: unknown }): { step?: string } => (search["step"] ? { step: String(search["step"]) } : {}), component: lazyRouteComponent(() => import("./setup/SetupPage")) });

/** What of a list stands in the address; everything else is a habit of the reader. */
export type ListSearch = { q?: string; f?: string; sort?: string; cols?: string; peek?: string; deleted?: string; as?: string; view?: string; by?: string; sums?: string; at?: string; span?: string };
const LIST_KEYS = ["q", "f", "sort", "cols", "peek", "deleted", "as", "view", "by", "sums", "at", "span"] as const;

const list = createRoute({
  getParentRoute: () => shell,
  path: "/o/$object",
  validateSearch: (search: { [name: string]: unknown }): ListSearch => Object.fromEntries(LIST_KEYS.flatMap((key) => (search[key] ? [[key, String(search[key])]] : []))),
  component: lazyRouteComponent(() => import("./list/ListPage")),
});

export type RecordSearch = { tab?: string };

const record = createRoute({
  getParentRoute: () => shell,
  path: "/o/$object/$id",
  validateSearch: (search: { [name: string]: unknown }): RecordSearch => (search["tab"] ? { tab: String(search["tab"]) } : {}),
  component: lazyRouteComponent(() => import("./record/RecordPage")),
});

/** Texts of the address that a page knows; everything else is dropped. */
function known<K extends string>(keys: readonly K[]) {
  return (search: { [name: string]: unknown }) => Object.fromEntries(keys.flatMap((key) => (search[key] ? [[key, String(search[key])]] : []))) as { [key in K]?: string };
}

const merge = createRoute({ getParentRoute: () => shell, path: "/merge/$object", validateSearch: known(["ids", "into"]), component: lazyRouteComponent(() => import("./record/MergePage")) });

const settings = createRoute({ getParentRoute: () => shell, path: "/settings", component: lazyRouteComponent(() => import("./pages/Settings")) });

const administration = [
  createRoute({ getParentRoute: () => shell, path: "/admin/users", validateSearch: known(["q", "status", "unit"]), component: lazyRouteComponent(() => import("./admin/Users")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/users/$id", component: lazyRouteComponent(() => import("./admin/UserPage")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/units", validateSearch: known(["unit"]), component: lazyRouteComponent(() => import("./admin/Units")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/teams", validateSearch: known(["team"]), component: lazyRouteComponent(() => import("./admin/Teams")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/roles", validateSearch: known(["role", "with"]), component: lazyRouteComponent(() => import("./admin/Roles")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/roles/edit", validateSearch: known(["role", "copy", "version"]), component: lazyRouteComponent(() => import("./admin/RoleEditor")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/rights", validateSearch: known(["user", "object", "record", "verb", "field", "act"]), component: lazyRouteComponent(() => import("./admin/RightsCheck")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/view-as", validateSearch: known(["user", "roles", "object"]), component: lazyRouteComponent(() => import("./admin/ViewAs")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/objects", component: lazyRouteComponent(() => import("./admin/Objects")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/objects/$object", component: lazyRouteComponent(() => import("./admin/ObjectPage")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/objects/$object/layout", component: lazyRouteComponent(() => import("./admin/LayoutPage")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/appliance", component: lazyRouteComponent(() => import("./admin/Appliance")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/health", component: lazyRouteComponent(() => import("./admin/Health")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/backups", validateSearch: known(["set"]), component: lazyRouteComponent(() => import("./backup/Backups")) }),
  createRoute({ getParentRoute: () => shell, path: "/admin/backups/pick", validateSearch: known(["set", "object", "q", "id"]), component: lazyRouteComponent(() => import("./backup/pick/PickPage")) }),
  createRoute({ getParentRoute: () => shell, path: "/audit", validateSearch: known(["user", "object", "record", "verb", "from", "to", "denied", "pulse", "entry", "tab"]), component: lazyRouteComponent(() => import("./audit/AuditDesk")) }),
  createRoute({ getParentRoute: () => shell, path: "/tokens", component: lazyRouteComponent(() => import("./admin/Tokens")) }),
] as const;

/** Imports of the reader: where one begins, and one of them at one of its steps. */
const imports = [
  createRoute({ getParentRoute: () => shell, path: "/import", validateSearch: known(["object"]), component: lazyRouteComponent(() => import("./import/ImportPage")) }),
  createRoute({ getParentRoute: () => shell, path: "/import/$id", validateSearch: known(["step"]), component: lazyRouteComponent(() => import("./import/Wizard")) }),
] as const;

const tree = root.addChildren([signIn, password, shell.addChildren([home, setup, list, record, merge, settings, ...imports, ...administration])]);

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    basepath: "/app",
    context: { client },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    // Values of the address are texts; nothing is guessed.
    parseSearch: parseSearchWith((value) => value),
    stringifySearch: stringifySearchWith((value) => String(value)),
    scrollRestoration: false,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: LostPage,
  });
}

/** Asks for what the page at this address will need, all at once, while its words are still on their way. */
export function ahead(router: ReturnType<typeof makeRouter>, client: QueryClient): void {
  const { matchedRoutes } = router.getMatchedRoutes(location.pathname.replace(/^\/app/, "") || "/");
  for (const route of matchedRoutes) void router.loadRouteChunk(route)?.catch(() => undefined);
  if (!matchedRoutes.some((route) => route.id === shell.id)) return;
  void client.prefetchQuery(sessionQuery);
  void client.prefetchQuery(objectsQuery);
  void client.prefetchQuery(settingsQuery);
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
