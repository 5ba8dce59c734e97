/** The lines of config.yaml that make a run of the thresholds that are set. */
import { useEffect, useState } from "preact/hooks";
import { copyText } from "../shared/copy";

/** `lines`: as YAML, "" where nothing is changed. */
export function ConfigLines({ lines }: { lines: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => setSaid(""), [lines]);
  const copy = async () => {
    setSaid(await copyText(lines) ? "Copied." : "Select the lines and copy them.");
  };
  return (
    <section class="config-lines" aria-labelledby="lines-heading">
      <h2 id="lines-heading">Lines for config.yaml</h2>
      <p class="quiet">
        For the file that you give as --configfile. Where a section is there already, put its lines
        below it. A run with other values of <code>segments</code> makes the clips of all videos
        again, with all that is made of them; with others of <code>quality</code> only the tables,
        the card and this page.
      </p>
      <pre tabIndex={0} aria-label="Lines for config.yaml">{lines || "# nothing is changed"}</pre>
      <p class="copy">
        <button type="button" disabled={!lines} onClick={copy}>Copy config lines</button>
        <span role="status">{said}</span>
      </p>
    </section>
  );
}
