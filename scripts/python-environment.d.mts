/** The bin folder of the Python environment of tests, demo and bench, made if it is not there yet. */
export function pythonEnvironment(): Promise<string>;
