import { problems } from "../problem.ts";

/** The name of the session token in the description. */
export const securityScheme = "clerkSession";

export const security = [{ [securityScheme]: [] }];

export const unavailable = problems({ 503: "The database is away for a moment; Retry-After says when to ask again." });

/** What every route for members may answer. */
export const memberProblems = {
  ...problems({ 401: "No valid session token.", 403: "Not a member of an active organization, or not allowed to." }),
  ...unavailable,
};
