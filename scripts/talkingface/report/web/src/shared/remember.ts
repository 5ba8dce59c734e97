/** Choices that the browser remembers. */
import { useState } from "preact/hooks";

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

/** What the browser remembers of this page; "" where it remembers nothing or may not. */
export function stored(name: string): string {
  try {
    return localStorage.getItem(`talkingface.${name}`) ?? "";
  } catch {
    return "";
  }
}

/** Has the browser remember a value; false where it may not. */
export function store(name: string, value: string): boolean {
  try {
    localStorage.setItem(`talkingface.${name}`, value);
    return true;
  } catch {
    return false;
  }
}
