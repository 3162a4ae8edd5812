import { redirectRequests } from "../redirect.mjs";

export default (require, { url, vapid }) => {
  redirectRequests(url);
  const webpush = require("web-push");
  return async ({ subscription, payload, keys = vapid }) => {
    const vapidDetails = { subject: "mailto:push@example.com", ...keys };
    const { statusCode, headers } = await webpush.sendNotification(
      subscription, JSON.stringify(payload), { vapidDetails, TTL: 60 });
    return { statusCode, location: headers.location };
  };
};
