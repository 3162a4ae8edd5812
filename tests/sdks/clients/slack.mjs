export default (require, { url, slackapp_bot_token }) => {
  const { WebClient } = require("@slack/web-api");
  const once = { retryConfig: { retries: 0 }, rejectRateLimitedCalls: true };
  return ({ token = slackapp_bot_token, ...message }) =>
    new WebClient(token, { slackApiUrl: `${url}/api/`, ...once }).chat.postMessage(message);
};
