/** What is shown, by the part of the address after #: a link to it leads there again. */
import { useEffect, useState } from "preact/hooks";

/** A view and its parameters. */
export interface Route {
  view: string;
  parameters: URLSearchParams;
}

/** What the address asks for now. */
export function readRoute(): Route {
  const [view, query] = location.hash.slice(1).split("?", 2);
  return { view: view || "yield", parameters: new URLSearchParams(query ?? "") };
}

/** The address of a view; parameters that are empty are left out. */
export function address(view: string, parameters: Record<string, string> = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== "");
  const query = new URLSearchParams(given).toString();
  return `#${view}${query ? `?${query}` : ""}`;
}

/** Goes to an address; `replace` makes no entry in the browser's history. */
export function go(to: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = to;
  }
}

/** The address, which draws the component again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const change = () => setRoute(readRoute());
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return route;
}
