curl --request GET \
--url https://api.xpander.ai/v1/agents/full \
--header 'x-api-key: <api-key>'
