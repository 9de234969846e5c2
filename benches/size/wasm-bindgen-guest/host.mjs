export const greet = async (name) => `Hello, ${name}`;
