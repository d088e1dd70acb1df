// Fills in the placeholders of examples.json, so that every example can be run as it stands.
//   @now, @now+42d, @now-1h   an instant relative to now
//   @key                      a fresh idempotency key
//   @prepared.a.b.0.c         a value from the answer of the example's "prepare" query

const units = { d: 86400000, h: 3600000 };

function instant(text) {
  const found = /^@now(?:([+-]\d+)([dh]))?$/.exec(text);
  if (!found) return null;
  const shift = found[1] ? Number(found[1]) * units[found[2]] : 0;
  return new Date(Math.floor((Date.now() + shift) / 1000) * 1000).toISOString().replace(".000", "");
}

function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return "page-" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

function fill(value, prepared) {
  if (Array.isArray(value)) return value.map((v) => fill(v, prepared));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v, prepared)]));
  }
  if (typeof value !== "string" || !value.startsWith("@")) return value;
  if (value === "@key") return key();
  if (value.startsWith("@prepared.")) {
    const found = value.slice(10).split(".").reduce((at, step) => at?.[step], prepared);
    return found ?? value;
  }
  return instant(value) ?? value;
}

// The example's variables, ready to run; `run(query, variables)` answers with the response body.
export async function variablesOf(example, run) {
  let prepared = null;
  if (example.prepare) {
    try {
      prepared = (await run(example.prepare, fill(example.prepareVariables ?? {}, null))).data;
    } catch {
      // The placeholder stays and names what belongs there.
    }
  }
  return fill(example.variables ?? {}, prepared);
}
