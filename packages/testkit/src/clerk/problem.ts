/** An error as the Backend API answers it. */
export class ClerkProblem extends Error {
  readonly status: number;
  readonly errors: readonly ProblemDetail[];

  constructor(status: number, ...errors: readonly ProblemDetail[]) {
    super(errors.map(({ message }) => message).join("; "));
    this.status = status;
    this.errors = errors;
  }
}

export interface ProblemDetail {
  readonly code: string;
  readonly message: string;
  readonly long_message: string;
  readonly meta?: object;
}

export function notFound(what: string): ClerkProblem {
  return new ClerkProblem(404, {
    code: "resource_not_found",
    message: "not found",
    long_message: `No ${what} was found with that id.`,
  });
}

export function invalid(parameter: string, message: string, code = "form_param_value_invalid"): ClerkProblem {
  return new ClerkProblem(422, { code, message, long_message: message, meta: { param_name: parameter } });
}

/** A value that another object of the instance has already. */
export function taken(parameter: string, what: string): ClerkProblem {
  return invalid(parameter, `That ${what} is taken. Please try another.`, "form_identifier_exists");
}
