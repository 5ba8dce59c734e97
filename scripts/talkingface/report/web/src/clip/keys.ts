/** Keys that work anywhere on the page but where one writes or chooses.
 *
 * Those that are single characters can be turned off, see `LetterKeys`.
 */
import { useEffect, useRef } from "preact/hooks";
import { mayAct } from "../shared/letter_keys";

/** What a key does; its name is that of KeyboardEvent.key, with `Shift+` before it where held. */
export type Keys = Record<string, () => void>;

/** Elements with keys of their own. The slider of a clip's place has the same ones as the page. */
const WRITTEN =
  "textarea, select, [contenteditable], .scroll, input:not([type=checkbox]):not(.ruler)";
const PRESSED = "button, a[href], summary, input[type=checkbox]";

/** Listens to `keys` while the component is shown. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
      const target = event.target as Element;
      if (target.closest(WRITTEN)) return;
      // Space presses the button that has the focus.
      if (event.key === " " && target.closest(PRESSED)) return;
      if (!mayAct(event.key)) return;
      const act = current.current[`${event.shiftKey ? "Shift+" : ""}${event.key}`];
      if (!act) return;
      event.preventDefault();
      act();
    };
    // Before the film, which has keys of its own for some of them.
    addEventListener("keydown", press, true);
    return () => removeEventListener("keydown", press, true);
  }, []);
}
