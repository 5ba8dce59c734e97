/** Choices that the browser remembers. */
import { useState } from "preact/hooks";
import { store, stored } from "./theme";

/** A state like `useState`'s that is found again when the page is opened the next time. */
export function useRemembered(name: string, initial: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => stored(name) || initial);
  return [
    value,
    (next) => {
      setValue(next);
      store(name, next);
    },
  ];
}
