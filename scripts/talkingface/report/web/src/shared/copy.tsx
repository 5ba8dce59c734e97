/** Buttons that put text on the clipboard. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "./copy.css";

/** Puts text on the clipboard; false where the browser does not let one. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages that are opened from disk may not use it in all browsers, but may copy a selection.
    const field = document.createElement("textarea");
    const before = document.activeElement;
    field.value = text;
    field.readOnly = true;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (before instanceof HTMLElement) before.focus();
    return copied;
  }
}

interface CopyButtonProps {
  /** Gives what is copied when the button is pressed. */
  text: () => string;
  /** What the button does, where the words on it do not say it alone. */
  label?: string;
  children: ComponentChildren;
}

/** A button that copies, and says so for two seconds without changing its size. */
export function CopyButton({ text, label, children }: CopyButtonProps) {
  const [said, setSaid] = useState("");
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <button
      type="button"
      class="copy"
      aria-label={label}
      onClick={async () => {
        setSaid((await copyText(text())) ? "Copied" : "Not allowed");
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => setSaid(""), 2000);
      }}
    >
      <span class={said ? "away" : ""}>{children}</span>
      <span class="said" role="status">
        {said}
      </span>
    </button>
  );
}
