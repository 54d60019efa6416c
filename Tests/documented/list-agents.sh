curl --request GET \
  --url https://api.xpander.ai/v1/agents \
  --header 'x-api-key: <api-key>'
