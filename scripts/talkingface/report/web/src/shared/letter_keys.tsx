/** Whether keys that are single characters do something.
 *
 * Who speaks to the computer types such keys without meaning them, so they can be turned off (WCAG
 * 2.1.4). Keys with a name of their own, such as arrows, are not concerned.
 */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { store, stored } from "./remember";

const NAME = "letter_keys";

// Held here, too, as some browsers remember nothing of a page that is opened from disk.
let on = stored(NAME) !== "off";

/** Whether a key, by its name in KeyboardEvent.key, may do something. */
export function mayAct(key: string): boolean {
  return on || key.length > 1;
}

/** A switch for the letter keys; its children say what they do in the view that it is in. */
export function LetterKeys({ children }: { children: ComponentChildren }) {
  const [checked, setChecked] = useState(on);
  return (
    <label class="letter-keys">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => {
          on = event.currentTarget.checked;
          setChecked(on);
          store(NAME, on ? "on" : "off");
        }}
      />
      <span>Letter keys: {children}</span>
    </label>
  );
}
