export default (require, { url, slackapp_bot_token }) => {
  const { WebClient } = require("@slack/web-api");
  return ({ token = slackapp_bot_token, ...message }) =>
    new WebClient(token, { slackApiUrl: `${url}/api/`, retryConfig: { retries: 0 } })
      .chat.postMessage(message);
};
