// JSON whose numbers keep their digits: 12345678901234567890 and 1.0 stay what they are.

const KEEPS = typeof JSON.rawJSON === "function";
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** A number that an ordinary one may not stand for. */
const SUSPECT = /(?:^|[:,[\s])(?:-0|-?\d+(?:[.eE]|\d{15}))/;

/** Returns the same text for all ways to write a number. */
function canonical(source) {
  const [, sign, whole, part = "", exponent = "0"] = NUMBER.exec(source);
  const digits = (whole + part).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  return kept ? sign + kept + "e" + (Number(exponent) - part.length + digits.length - kept.length) : "0";
}

/**
 * Returns a number that JSON.stringify writes as it was given: an ordinary one, or an object if that would write another text.
 * @param {boolean=} isFormKept whether 1.0 is another text than 1; otherwise only another value counts
 */
export function exact(source, isFormKept = true) {
  const value = Number(source);
  if (!NUMBER.test(source) || String(value) === source || (!isFormKept && Number.isFinite(value) && canonical(String(value)) === canonical(source))) return value;
  if (KEEPS) return JSON.rawJSON(source);
  if (Number.isFinite(value) && canonical(String(value)) === canonical(source)) return value;
  throw new Error("this browser would change the digits of " + source);
}

/** Reads JSON. Its numbers keep their digits, and their form if that is wanted. */
export function parse(text, isFormKept = true) {
  return SUSPECT.test(text) ? JSON.parse(text, (_, value, at) => (typeof value === "number" && at && at.source !== undefined ? exact(at.source, isFormKept) : value)) : JSON.parse(text);
}

/** Tells whether a value is a number of the kind that {@link exact} returns as an object. */
export const isExact = (value) => KEEPS && JSON.isRawJSON(value);
