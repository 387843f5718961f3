// The words of the room: messages, composer, threads.

export const zh = {} as const;

export const en: Readonly<Record<keyof typeof zh, string>> = {};
