/** This page shows one conversation in a frame of another site: nothing leads out of it, and only reading, writing and reacting is offered. */
export const embedded = location.pathname === '/embed';
