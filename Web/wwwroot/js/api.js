// Query's HTTP API from the browser; same origin.

/**
 * @typedef {object} Problem  RFC 9457, with what the API adds for a wrong filter
 * @property {string} [title]
 * @property {number} [status]
 * @property {string} [detail]
 * @property {string} [parameter]
 * @property {number} [line]
 * @property {number} [column]
 * @property {string[]} [expected]
 */

export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status  0: no answer
   * @param {Problem} [problem]
   */
  constructor(message, status, problem) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }
}

/**
 * @param {string} path  below /api/v1/
 * @param {Record<string, string | number | null | undefined | string[]>} [params]  empty ones are left out; an array repeats its key
 */
export function url(path, params = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "")
        query.append(key, String(one));
    }
  }
  const text = query.toString();
  return `/api/v1/${path}${text ? `?${text}` : ""}`;
}

/**
 * @param {string} path
 * @param {Parameters<typeof url>[1]} [params]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(path, params, signal) {
  let response;
  try {
    response = await fetch(url(path, params), {
      signal,
      headers: { accept: "application/json" },
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(String(/** @type {Error} */ (error).message), 0);
  }
  if (response.ok) return response.json();
  /** @type {Problem | undefined} */
  const problem = await response.json().catch(() => undefined);
  throw new ApiError(
    problem?.detail ?? problem?.title ?? `HTTP ${response.status}`,
    response.status,
    problem,
  );
}

/**
 * @param {string} path
 * @param {Parameters<typeof url>[1]} [params]
 */
export function stream(path, params) {
  return new EventSource(url(path, params));
}
