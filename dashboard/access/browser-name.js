// @ts-check
/** What people call a browser. */

/** `Firefox on Linux`, as far as it can be told; the whole text stands in the title. @param {string} client */
export function browserName(client) {
  const browsers = /** @type {[RegExp, string][]} */ ([[/Edg\//, "Edge"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]]);
  const systems = /** @type {[RegExp, string][]} */ ([[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS/, "macOS"], [/Linux/, "Linux"]]);
  const found = (/** @type {[RegExp, string][]} */ list) => list.find(([sign]) => sign.test(client))?.[1];
  const browser = found(browsers);
  const system = found(systems);
  if (!browser) return client.split(" ")[0] || "Unknown";
  return system ? `${browser} on ${system}` : browser;
}
