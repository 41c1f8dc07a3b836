"""Pages by their numbers."""

from rest_framework.pagination import PageNumberPagination


class StrictPagination(PageNumberPagination):
    """An empty number is no page, and neither is a word."""

    last_page_strings = ()

    def get_page_number(self, request, paginator):
        return request.query_params.get(self.page_query_param, 1)
