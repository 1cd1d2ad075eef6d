// @ts-check
/** The pages about people and keys, in one file that is loaded when one of them is opened. */

export { openAddServer } from "../access/add-server.js";
export * as arrival from "../access/arrival.js";
export * as settings from "../access/settings.js";
export * as signIn from "../access/sign-in.js";
export * as welcome from "../access/welcome.js";
