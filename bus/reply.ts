/** Where answers may go. Who asks chooses the reply subject, and a server can't check it: whoever answers strangers must. */

/**
 * True for a subject that is nobody's but the asker's. False for none, and for those on which the answer would be heard as something that its sender says:
 * subjects of ours, and of the server (`$…`).
 */
export const isPrivateReply = (reply: string | undefined, prefix: string): boolean =>
  reply !== undefined && !reply.startsWith('$') && !reply.startsWith(`${prefix}.`);
