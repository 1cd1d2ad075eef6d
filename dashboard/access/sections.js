// @ts-check
/** The sections of the settings, and who may see which. */

/** @typedef {{id: string, label: string, needs: string, people: boolean}} Section `people`: only where people sign in */

/** @type {readonly Section[]} */
export const SECTIONS = [
  { id: "general", label: "General", needs: "", people: false },
  { id: "account", label: "My account", needs: "self", people: true },
  { id: "tokens", label: "My tokens", needs: "self", people: true },
  { id: "users", label: "Users", needs: "people", people: true },
  { id: "keys", label: "Agents and keys", needs: "manage", people: true },
  { id: "retention", label: "Retention", needs: "manage", people: false },
  { id: "organisations", label: "Organisations", needs: "operate", people: true },
  { id: "audit", label: "Audit log", needs: "people", people: true },
  { id: "about", label: "About", needs: "", people: false },
];

/** The sections that a person may see. @param {{may: (need: string) => boolean, hasPeople: () => boolean}} session */
export const sectionsFor = ({ may, hasPeople }) =>
  SECTIONS.filter(({ needs, people }) => (!people || hasPeople()) && (!needs || may(needs)));
