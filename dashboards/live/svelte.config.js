// Svelte compiler settings. Runes everywhere, so that a forgotten rune is an error and not a silent fallback.
export default { compilerOptions: { runes: true } };
