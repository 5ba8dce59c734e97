/** Light or dark: the system's choice, or one's own, which the browser remembers. */
import { useEffect, useState } from "preact/hooks";
import { store, stored } from "./remember";

type Theme = "system" | "light" | "dark";
const NAMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

/** The choice of the page's colours. */
export function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(() => stored("theme") as Theme || "system");
  useEffect(() => {
    const root = document.documentElement;
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    store("theme", theme);
  }, [theme]);
  return (
    <label class="theme">
      <span>Colours</span>
      <select value={theme} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
        {Object.entries(NAMES).map(([name, words]) => <option value={name}>{words}</option>)}
      </select>
    </label>
  );
}
